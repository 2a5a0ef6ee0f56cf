/*
 * flow/jobfile.h: the files of one job: which they are, which of them is the main one, what they hash to, and the key
 * block of a job of one file. For job.c only.
 */
#ifndef LEAT_FLOW_JOBFILE_H
#define LEAT_FLOW_JOBFILE_H

#include "flow/jobcache.h"

#define JOBFILE_SHARED "python" /* the folder of the workspace that Python jobs import from */
/* What runs before the first cell of notebooks and before Python jobs; what Spark is to know in them. */
#define JOBFILE_STARTUP "config/startup.py"
#define JOBFILE_SPARK "config/spark-defaults.conf"

struct jobfile_list {
	VEC(struct job_code) files; /* path and label; not hashed yet */
};

/*
 * The files of a folder that count as code (SEMANTICS 4: all but job.yaml, README*, tests/, dot files; __pycache__ is
 * none either), and every folder looked at, as nodes of the entry. `label` stands before the names in the labels (""
 * or "lib/").
 */
must_check int jobfile_scan(struct jobs *js, struct job_entry *en, struct str dir, const char *label,
                            struct jobfile_list *out, struct err *e);
bool jobfile_has(const struct jobfile_list *l, const char *label);

/*
 * Fills code, main_file and files_id of a job whose kind and keys are known. `body` is what of a job's only file is
 * code (without the key block), STR_NULL for a job in a folder.
 */
must_check int jobfile_code(struct jobs *js, struct job_entry *en, struct job *j, struct jobfile_list *l,
                            struct str body, struct err *e);

/*
 * The key block of a file: *yaml has the same lines and columns as the file (what is no key is blank), *from and *to
 * are the block's bytes. false: it has none.
 */
bool jobfile_block(struct arena *a, struct str text, bool sql, const struct keys *const *tables, size_t n_tables,
                   struct str *yaml, size_t *from, size_t *to);

#endif
