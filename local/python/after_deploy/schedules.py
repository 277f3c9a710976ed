"""Lets the roles that may create schedules in a group of their own do so.

AWS authorizes `CreateSchedule` by the schedule's name with its group, `schedule/<group>/<name>`. The emulator
assumes the group `default`, whichever group the request names. So every role that may create schedules in a group may
also do so in that one. It can go once a stack works without it.
"""

import roles

ACTION = "scheduler:CreateSchedule"


def allow(deployed):
    roles.grant(deployed, "emulator-schedules", schedules)


def schedules(statement):
    if ACTION in roles.actions(statement):
        prefix, _, _ = statement["Resource"].partition(":schedule/")
        yield {"Effect": "Allow", "Action": ACTION, "Resource": f"{prefix}:schedule/default/*"}
