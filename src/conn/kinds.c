#include "conn/conn.h"

const struct egress_kind *const egress_kinds[] = {
	&egress_path, &egress_folder, &egress_s3, &egress_http, &egress_https, &egress_duckdb, &egress_sqlite, NULL,
};
