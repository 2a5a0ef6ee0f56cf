/*
 * conn/s3.h: egress to an object store (docs/how-to/egress.md). The pusher (s3.c) says what is wanted, the worker
 * process `leat --role s3` (s3_worker.c) does it: only there is libcurl loaded.
 *
 * Below the prefix lie the files of the commit under their own paths, and S3_LIST: JSON, which says which commit they
 * are of (`state` whole), or that somebody is at it (`state` writing). It names all that was put there, so that what is
 * gone is deleted and what is the same is not sent again, whoever pushes from wherever.
 *
 * Request, JSON on descriptor 3: {workspace, tree, repo, commit, endpoint, path_style, bucket, prefix, region, key,
 * secret, token?, ca_file?, stall_ms}. Reply, JSON on standard output: {written, removed}, or {error: {code, msg,
 * hint?}}.
 */
#ifndef LEAT_CONN_S3_H
#define LEAT_CONN_S3_H

#include "conn/conn.h"

#define S3_ROLE "s3"
#define S3_LIST "_leat_egress" /* engines read nothing whose name begins so */
#define S3_LIST_MAX ((size_t)256 << 20)
#define S3_AT_ONCE 8           /* connections */
#define S3_REQUEST_FD 3
#define S3_MESSAGE_MAX ((size_t)1 << 20)

int s3_worker_main(int argc, char **argv);

#endif
