"""Activity texts: what a person who knows the nomenclature reads in them.

:func:`~geomatch.activities.lexicon.lexicon` is the knowledge (``core/tables/activity_*.csv``),
:func:`~geomatch.activities.reading.read` what texts say by it.
"""
