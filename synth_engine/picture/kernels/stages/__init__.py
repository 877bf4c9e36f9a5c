"""The kernels of single stages, one module a domain; their forms are described in `picture.kernels`."""
