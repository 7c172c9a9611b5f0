"""What an operator's own tools see of a running gateway: Prometheus metrics, OpenTelemetry traces."""
