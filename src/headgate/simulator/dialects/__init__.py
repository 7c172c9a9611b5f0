"""The formats the simulator speaks, one file each.

They share nothing with the gateway's `wire`: a mistake there must not agree with itself here.
"""
