"""The precision that can be sworn to: a designed sample, checked blind, and an exact test.

Pure statistics (:mod:`bounds`, :mod:`design`, :mod:`clerks`, :mod:`recalibration`,
:mod:`certificate`), the sample as a file of the run (:mod:`sample`), and the French statement
(:mod:`statement`). Who checked what is read by ``geomatch.review``.
"""
