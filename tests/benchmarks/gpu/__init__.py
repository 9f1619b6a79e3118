"""The first thing to run on a machine with an NVIDIA GPU: ``python tests/benchmarks/gpu``, at most ten minutes.

It needs a clone of the repository, NumPy, tqdm and CuPy; the extra `test` for the tests, PyTorch with CUDA for the
comparison with cuDNN. Four parts run one after the other, each in a separate process, so that a fault of the GPU ends
one part only:

    machine   hardware, driver and versions
    kernels   the backend's recurrent kernels against the formulas: outputs, final states and every gradient
    times     kernels, formulas and cuDNN, measured in turn
    tests     ``pytest -m gpu``, in all the time that is left

The report is written again after each result, so an interruption loses only what was not measured yet. Everything here
goes through minigrad's public names, so the same script measures other versions of it too.
"""
