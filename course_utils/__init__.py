"""The code of the course on generative models, written to be read.

``models`` is what the course teaches, ``optima`` the exact answers it is measured against; ``data``, ``figures`` and
``exercises`` serve the lessons. Nothing is imported here: ``import course_utils`` is free.
"""
