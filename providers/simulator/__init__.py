"""A whole carrier for demonstration and tests: it takes messages, reports receipts, has phones, and fails on demand.

It runs on loopback only and keeps everything in memory. It knows the aggregator's format and Zalo's, and nothing of the
gateway.
"""

from providers.simulator.carrier import Bubble, Carrier, SimulatorConfig
from providers.simulator.faults import Faults
from providers.simulator.web import Sample, create_app
from providers.simulator.zalo import Zalo, ZaloConfig
from providers.simulator.zalo_web import ChatSample
from providers.simulator.zalo_web import blueprint as zalo_routes

__all__ = [
    "Bubble",
    "Carrier",
    "ChatSample",
    "Faults",
    "Sample",
    "SimulatorConfig",
    "Zalo",
    "ZaloConfig",
    "create_app",
    "zalo_routes",
]
