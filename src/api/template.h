/*
 * api/template.h: what `leat new` makes jobs of: the templates in the program (templates/jobs/), and those of the user,
 * a folder each in templates/ of the workspace. Of dsflow's own form (template_specs.yaml, files *.j2) they may be,
 * too: what they give is then imported.
 *
 * A file of a template stands in jobs/NAME/ of the workspace, one below workspace/ in the workspace itself. Templates
 * are rendered when a job is made, so what belongs to a run stands in {% raw %} and is bound by the run. A file that
 * comes out empty is not made. Everything is in the arena of the command.
 */
#ifndef LEAT_API_TEMPLATE_H
#define LEAT_API_TEMPLATE_H

#include "api/api.h"

enum template_kind { TEMPLATE_TEXT, TEMPLATE_CONFIRM, TEMPLATE_REPO, TEMPLATE_TABLE, TEMPLATE_WORD };

struct template_value {
	struct str name, also, text, fallback; /* fallback .p NULL: it must be given */
	enum template_kind kind;
	bool word; /* may stand behind the name, without --set */
};

struct template {
	struct str name, also, text, prefix, next;
	const char *dir; /* of a user's; NULL: in the program */
	const char *file; /* where it is described, for messages */
	const struct dom *about;
	bool dsflow;
	struct template_value *values;
	size_t n_values;
};

/* All, ours first; dir is the workspace's, or NULL. */
must_check int templates_all(struct arena *a, const char *dir, struct template **out, size_t *n, struct err *e);
/* By its name or its other one; *out NULL and ERR_BAD_REQUEST with the nearest where there is none. */
must_check int template_find(struct arena *a, const char *dir, struct str name, struct template *out, struct err *e);

struct template_made {
	struct str path, text;
	bool run; /* may be executed */
};
/* Its files for these values: paths from the workspace. vars has what template_vars gave. */
must_check int template_files(struct arena *a, const struct template *t, struct str job, const struct dom *vars,
                              struct template_made **out, size_t *n, struct err *e);
/* NAME and DATASET in a sentence or default. */
struct str template_named(struct arena *a, struct str text, struct str job, struct str given);
must_check int template_render(struct arena *a, struct str text, const char *file, const struct dom *vars,
                               struct str *out, struct err *e);
/* --set, words, prompts, defaults, in this order; checked. */
must_check int template_vars(struct arena *a, const struct template *t, const struct args *args, struct sink *out,
                             struct str job, struct str given, struct dom **vars, struct err *e);

#endif
