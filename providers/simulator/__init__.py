"""A whole carrier for demonstration and tests: it takes messages, reports receipts, has phones, and fails on demand.

It runs on loopback only and keeps everything in memory. It knows the aggregator's format and nothing of the gateway.
"""

from providers.simulator.carrier import Bubble, Carrier, SimulatorConfig
from providers.simulator.faults import Faults
from providers.simulator.web import Sample, create_app

__all__ = ["Bubble", "Carrier", "Faults", "Sample", "SimulatorConfig", "create_app"]
