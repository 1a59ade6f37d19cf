"""Rating by people, the yardstick of the automatic judges.

``draw`` draws responses, ``sheet`` writes what raters are given, ``ratings`` reads what they gave back, ``agreement``
says how far they agree, ``estimates`` what follows for the judges and for MAR, and ``report`` puts it together.
``judges.human`` scores with their decisions.
"""
