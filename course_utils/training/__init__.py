"""Training that survives: one loop for every model of lessons 4 to 8, in a notebook, by command, and on many machines.

``loop`` trains, ``batches`` says which examples come when, ``checkpoints`` and ``log`` keep what a stopped run needs to
go on, ``processes`` shares the work; ``python -m course_utils.train`` is their command line.
"""
