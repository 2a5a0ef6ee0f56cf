# shellcheck shell=sh
# Where the shared folders are, for `. jobs/{{ name }}/lab.sh` in your shell and for the job's steps alike.
if [ -n "${LEAT_OUTPUT:-}" ]; then
	lab=${LEAT_OUTPUT%%/.leat/*}
else
	lab=$PWD
	while [ "$lab" != / ] && [ ! -e "$lab/leat.yaml" ]; do lab=$(dirname "$lab"); done
fi
export ENV_PROJ_DATA_DIR="$lab/data" ENV_DATA_DIR="$lab/data"
export ENV_DATA_SRC_DIR="$lab/data/src" ENV_DATA_DST_DIR="$lab/data/dst" ENV_DATA_BIN_DIR="$lab/data/bin"
export ENV_DATA_SYNTHESIZE_DIR="$lab/data/synthesize" ENV_DATA_TIDY_DIR="$lab/data/tidy"
export ENV_DATA_ANALYZE_DIR="$lab/data/analyze" ENV_DATA_OUTPUT_DIR="$lab/data/output"
unset lab
