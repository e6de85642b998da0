"""How much memory a call needs besides what it is given, by NumPy's own account of its arrays."""

import tracemalloc


def peak(call):
    """The most bytes that call() holds at once, over what was held before."""
    tracemalloc.start()
    call()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def peaks(name, ours, peer):
    """Measure both, print them in megabytes and return (ours, peer)."""
    found = peak(ours), peak(peer)
    print(f"\n{name}: {found[0] / 1e6:.1f} MB at its peak, its peer {found[1] / 1e6:.1f} MB")
    return found
