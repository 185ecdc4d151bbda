"""OpenIVR: a self-hosted IVR (auto attendant) managed through the Yeastar P-Series API."""

__version__ = "0.1.0"
