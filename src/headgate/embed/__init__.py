"""The gateway inside another application: mounted under a path, or called without a socket.

headgate = Headgate()
app = FastAPI(lifespan=headgate.lifespan)
app.mount("/ai", headgate)
"""

from headgate.dataplane.socketless import Answer
from headgate.embed.headgate import Headgate

__all__ = ["Answer", "Headgate"]
