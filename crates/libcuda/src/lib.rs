//! A stand-in for NVIDIA's driver library, for tests: it runs kernels on the PTX interpreter, and fails as it is told to.
