/*
 * api/editor.h: what lets an editor check and complete leat.yaml and job.yaml: a JSON Schema of each in .leat/schema/,
 * made from the tables that Leat itself checks them by, and a first line in files that Leat writes which names it. The
 * line is that of yaml-language-server (VS Code, Neovim, Emacs, Helix and Zed use it; JetBrains' editors read the line
 * too). Its path is relative, so it holds in every clone and wherever Leat is installed; docs/how-to/editor.md.
 */
#ifndef LEAT_API_EDITOR_H
#define LEAT_API_EDITOR_H

#include "api/api.h"

#define EDITOR_LINE "# yaml-language-server: $schema="
#define EDITOR_WORKSPACE_LINE EDITOR_LINE ".leat/schema/leat.json\n"
#define EDITOR_JOB_LINE EDITOR_LINE "../../.leat/schema/job.json\n" /* in jobs/NAME/ */

/* "job" or "workspace" (whose file is leat.json); NULL: there is no such schema. */
struct dom *editor_schema(struct api *api, struct str what);

/* Writes the schemas of this program below dir/.leat, where others or none are there. */
must_check int editor_write(struct api *api, const char *dir, struct err *e);

#endif
