/*
 * job/spec.h: Pachyderm pipeline specs as jobs (docs/how-to/pachyderm.md): JSON or YAML, camelCase or snake_case,
 * several in one file (documents one after the other, or a list), the forms of 1.x too (`inputs`, `atom`, a job of
 * commits). What comes out is the document of a job.yaml whose nodes have the places of the spec, so that what is wrong
 * is named there.
 */
#ifndef LEAT_JOB_SPEC_H
#define LEAT_JOB_SPEC_H

#include "flow/job.h"
#include "repo/trigger.h"

#define SPEC_MAX_BYTES ((size_t)16 << 20)
#define SPEC_MAX       10000 /* specs in one file */

/* An input that is read only when enough has come: by a branch that follows the one it names. */
struct spec_trigger {
	struct str repo, branch;
	struct trigger t;
};

struct spec {
	struct str name;       /* pipeline.name; of a job without one the file's */
	struct dom *job;       /* the keys of job.yaml */
	const struct dom *doc; /* the spec as it was read */
	struct str image;      /* STR_NULL: none */
	struct str program;    /* cmd's first word; STR_NULL: none */
	int cmd_line, cmd_col;
	struct err *refused;     /* why it cannot be applied, though its inputs may be looked at; NULL */
	VEC(struct str) ignored; /* knobs that are Kubernetes' only */
	VEC(struct str) notes;   /* sentences */
	VEC(struct spec_trigger) triggers;
};

struct spec_list {
	VEC(struct spec) specs;
	bool plain;       /* one document, a job.yaml of Leat: specs has it as .job, named by its file */
	bool json, fault; /* fault: it begins as JSON does and is none */
	struct str text;
};

/* `file` is what the text came from, for places and names. All in the arena. */
must_check int spec_read(struct arena *a, struct str text, const char *file, const struct job_kind *const *kinds,
                         struct spec_list *out, struct err *e);
/* A document as YAML that people read: maps and lists by indentation, short lists of scalars in one line. */
void spec_write_yaml(struct buf *b, const struct dom *doc);

#endif
