"""Reference data: official files in, one versioned and partitioned reference store out.

::

    download, transfer      official sources → files
    layouts, sources, reading   files → recognised, checked, readable in SQL
    cog, places             communes: names, codes, postcodes; centres and neighbours
    ban, streets            addresses and localities → streets, addresses
    sirene, geoloc, register, locate    register → establishments with a position
    naf                     activity labels; what the words of names say of the activity
    store, swap             tables as GeoParquet, manifest, put in place in one step
    options, inputs, build  what is asked for, of which files, step by step
    workshop, journal, jobs, parts  folders and bounds of a build, what is finished, jobs on
                            several processes, what is done by file and by département
"""
