/*
 * api/prompt.h: `leat status --short`: what one wants to see in a shell's prompt, within a few milliseconds: the
 * workspace, the workspace branch, what is stale, what failed in the last batch there, what runs, what is open.
 */
#ifndef LEAT_API_PROMPT_H
#define LEAT_API_PROMPT_H

#include "api/api.h"

must_check int prompt_line(struct api *api, struct sink *out, struct err *e);

#endif
