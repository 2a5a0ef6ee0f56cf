/* A step of the graph and nothing else: others come after it, it comes after others. */
#include "job/kinds.h"

const struct job_kind kind_noop = {
	.name = "noop",
	.text = "Nothing: a step that others come after, and that comes after others.",
	.no_output = true,
	.passes = true,
};
