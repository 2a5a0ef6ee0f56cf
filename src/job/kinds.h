/*
 * job/kinds.h: the job kinds of this program, one row each (kinds.c). A kind is one file of this folder with one const
 * struct job_kind; kinds know nothing of each other.
 */
#ifndef LEAT_JOB_KINDS_H
#define LEAT_JOB_KINDS_H

#include "flow/plug.h"

extern const struct job_kind kind_sql, kind_script, kind_download, kind_notebook, kind_python, kind_noop,
	kind_service, kind_board, kind_spout;

extern const struct job_kind *const job_kinds[]; /* ended by NULL */

#endif
