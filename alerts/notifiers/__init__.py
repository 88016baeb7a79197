"""The ways out of Midspan, one file each: a letter in, sent or a `MidspanError` that says whether
trying again can help. They keep no state; `alerts.dispatch` tries again, with the same message id.
"""
