/*
 * web/hook.h: whether a webhook was signed by who knows its secret.
 */
#ifndef LEAT_WEB_HOOK_H
#define LEAT_WEB_HOOK_H

#include "base/base.h"

/* header: HMAC-SHA256 of the body in hex, "sha256=" before it or not. Takes as long whatever it holds. */
bool hook_signed(struct str secret, struct str header, struct str body);

#endif
