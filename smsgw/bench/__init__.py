"""The benchmarks behind `smsgw bench`: the gateway as it runs in production, against a baseline in the same run.

Load and carrier are played by the bench's own process over real sockets; the gateway's nodes are processes of their
own. How to repeat each figure, and what was measured, is in `docs/performance.md`.
"""
