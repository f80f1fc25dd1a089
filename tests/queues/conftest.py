from tests.sending.conftest import bench

__all__ = ["bench"]
