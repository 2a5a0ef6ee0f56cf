#!/bin/sh
# Writes into $LEAT_OUTPUT; reads $LEAT_INPUT_<name>; $DS is the day's label. What it prints goes to the log.
set -eu
echo "day,made_by" > "$LEAT_OUTPUT/part.csv"
echo "$DS,$LEAT_JOB" >> "$LEAT_OUTPUT/part.csv"
