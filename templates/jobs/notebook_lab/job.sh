{% if not notebook %}#!/bin/sh
# Runs the steps in the order of their names, then takes what is in data/output as the job's output.
set -eu
. ./lab.sh
for step in steps/*; do
	echo "step $step"
	case $step in
	*.py) python3 "$step" ;;
	*.sh) sh "$step" ;;
	*) echo "left out: $step is no .py and no .sh" ;;
	esac
done
cp -R "$ENV_DATA_OUTPUT_DIR/." "$LEAT_OUTPUT/"
{% endif %}