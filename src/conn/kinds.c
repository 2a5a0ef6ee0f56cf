#include "conn/conn.h"

const struct egress_kind *const egress_kinds[] = {&egress_path, &egress_folder, &egress_duckdb, &egress_sqlite, NULL};
