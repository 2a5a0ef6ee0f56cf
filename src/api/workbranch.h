/*
 * api/workbranch.h: workspace branches as commands see them (repo/overlay.h): the list, making, deleting, their end by
 * age.
 */
#ifndef LEAT_API_WORKBRANCH_H
#define LEAT_API_WORKBRANCH_H

#include "api/api.h"
#include "repo/overlay.h"

must_check int workbranch_list(struct api *api, struct sink *out, struct err *e);
must_check int workbranch_make(struct api *api, const struct args *args, struct str name, struct sink *out,
                               struct err *e);
must_check int workbranch_delete(struct api *api, const struct args *args, struct str name, struct sink *out,
                                 struct err *e);

/* When it ends by setting branch_keep, ms; 0: never. */
int64_t workbranch_expires(struct api *api, const struct overlay *o);
/* Says so in the last days before. */
void workbranch_note(struct api *api, struct sink *out);
/* For gc: ends those whose time has come, and says which. dry: only says. */
must_check int workbranch_expire(struct api *api, bool dry, struct sink *out, struct err *e);

/* The row of one. */
must_check int workbranch_row(struct api *api, const struct overlay *o, struct dom **out, struct err *e);

#endif
