"""Alarms on metric math can be deployed.

The emulator does not accept them. It never evaluates an alarm, so one on the first metric of the expression will do.
It can go once the emulator accepts them.
"""

from ministack.services.cloudformation import provisioners

record = provisioners._cw_metric_alarm_record


def record_first_metric(name, props):
    if props.get("Metrics"):
        metric = props["Metrics"][0]["MetricStat"]["Metric"]
        props = {**props, **metric, "Metrics": None}
    return record(name, props)


def accept():
    provisioners._cw_metric_alarm_record = record_first_metric
