#include "job/kinds.h"

const struct job_kind *const job_kinds[] = {
	&kind_sql,
	&kind_script,
	&kind_download,
	&kind_notebook,
	&kind_python,
	&kind_noop,
	&kind_service,
	&kind_board,
	&kind_spout,
	NULL,
};
