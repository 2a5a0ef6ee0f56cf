/* conn/conn.h: those who can be pushed to (flow/egress.h), ended by NULL; kinds.c lists them. */
#ifndef LEAT_CONN_CONN_H
#define LEAT_CONN_CONN_H

#include "flow/egress.h"

extern const struct egress_kind *const egress_kinds[];

extern const struct egress_kind egress_folder, egress_path, egress_duckdb, egress_sqlite, egress_s3, egress_http, egress_https;

#endif
