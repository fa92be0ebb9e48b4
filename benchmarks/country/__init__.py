"""A synthetic country in the official layouts, at any scale up to France; never committed.

::

    plan       départements, communes, what each holds, which SIRENs it may give
    cog        communes of the real COG when its folder is given, else invented ones
    words      pools of names with the frequencies of real ones
    places     streets and addresses of one département → BAN
    naming     what establishments are called, on whole columns
    register   establishments of one département
    sirene     the same in the official columns → Sirene, geolocated Sirene
    bulletins  employed people drawn by headcount, and what they wrote → rp_final and its truth
    generate   all départements side by side, then one file of each kind

``python -m benchmarks.country --scale 0.1 --out FOLDER`` writes it. A smaller scale keeps fewer
communes of the same sizes. Words, street names, layouts and slips of the pen are those of
:mod:`geomatch.demo`.
"""
