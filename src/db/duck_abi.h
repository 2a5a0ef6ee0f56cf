/*
 * db/duck_abi.h: the part of DuckDB's C API that the worker uses, declared by us, so that no header of theirs is needed
 * and nothing links against it. Names, numbers and shapes are those of the stable C API (DuckDB 1.2 and later).
 *
 * duck_abi_load fills `duckdb`; before that every pointer in it is NULL.
 */
#ifndef LEAT_DB_DUCK_ABI_H
#define LEAT_DB_DUCK_ABI_H

#include "base/err.h"

typedef uint64_t duck_idx;
typedef struct duck_opaque *duck_database, *duck_connection, *duck_config, *duck_prepared, *duck_chunk,
	*duck_vector, *duck_type, *duck_pending;

enum duck_type_id {
	DUCK_T_BOOLEAN = 1,
	DUCK_T_TINYINT = 2,
	DUCK_T_SMALLINT = 3,
	DUCK_T_INTEGER = 4,
	DUCK_T_BIGINT = 5,
	DUCK_T_UTINYINT = 6,
	DUCK_T_USMALLINT = 7,
	DUCK_T_UINTEGER = 8,
	DUCK_T_UBIGINT = 9,
	DUCK_T_FLOAT = 10,
	DUCK_T_DOUBLE = 11,
	DUCK_T_TIMESTAMP = 12,
	DUCK_T_DATE = 13,
	DUCK_T_TIME = 14,
	DUCK_T_INTERVAL = 15,
	DUCK_T_HUGEINT = 16,
	DUCK_T_VARCHAR = 17,
	DUCK_T_BLOB = 18,
	DUCK_T_DECIMAL = 19,
	DUCK_T_TIMESTAMP_S = 20,
	DUCK_T_TIMESTAMP_MS = 21,
	DUCK_T_TIMESTAMP_NS = 22,
	DUCK_T_ENUM = 23,
	DUCK_T_LIST = 24,
	DUCK_T_STRUCT = 25,
	DUCK_T_MAP = 26,
	DUCK_T_UUID = 27,
	DUCK_T_UNION = 28,
	DUCK_T_BIT = 29,
	DUCK_T_TIME_TZ = 30,
	DUCK_T_TIMESTAMP_TZ = 31,
	DUCK_T_UHUGEINT = 32,
	DUCK_T_ARRAY = 33,
	DUCK_T_SQLNULL = 36,
};

enum duck_error_type {
	DUCK_E_CONVERSION = 2,
	DUCK_E_NOT_IMPLEMENTED = 11,
	DUCK_E_CATALOG = 13,
	DUCK_E_PARSER = 14,
	DUCK_E_SYNTAX = 22,
	DUCK_E_SETTINGS = 23,
	DUCK_E_BINDER = 24,
	DUCK_E_IO = 28,
	DUCK_E_INTERRUPT = 29,
	DUCK_E_FATAL = 30,
	DUCK_E_INTERNAL = 31,
	DUCK_E_INVALID_INPUT = 32,
	DUCK_E_OUT_OF_MEMORY = 33,
	DUCK_E_PERMISSION = 34,
};

enum duck_result_type { DUCK_R_INVALID = 0, DUCK_R_CHANGED_ROWS = 1, DUCK_R_NOTHING = 2, DUCK_R_ROWS = 3 };

struct duck_result {
	duck_idx deprecated[3];
	void *deprecated_columns;
	char *deprecated_error;
	void *internal;
};

struct duck_progress {
	double percentage;
	uint64_t done, total;
};

/* A string or blob in a vector: inline up to 12 bytes, 16 in all. */
union duck_string {
	struct {
		uint32_t n;
		char bytes[12];
	} inlined;
	struct {
		uint32_t n;
		char prefix[4];
		char *bytes;
	} pointer;
};
struct duck_list {
	uint64_t offset, n;
};
struct duck_huge {
	uint64_t lower;
	int64_t upper;
};
struct duck_interval {
	int32_t months, days;
	int64_t micros;
};

#define DUCK_ABI(F)                                                                                                    \
	F(const char *, library_version, (void))                                                                       \
	F(int, create_config, (duck_config *))                                                                         \
	F(int, set_config, (duck_config, const char *, const char *))                                                  \
	F(void, destroy_config, (duck_config *))                                                                       \
	F(int, open_ext, (const char *, duck_database *, duck_config, char **))                                        \
	F(void, close, (duck_database *))                                                                              \
	F(int, connect, (duck_database, duck_connection *))                                                            \
	F(void, disconnect, (duck_connection *))                                                                       \
	F(void, interrupt, (duck_connection))                                                                          \
	F(struct duck_progress, query_progress, (duck_connection))                                                     \
	F(int, query, (duck_connection, const char *, struct duck_result *))                                           \
	F(void, destroy_result, (struct duck_result *))                                                                \
	F(const char *, result_error, (struct duck_result *))                                                          \
	F(int, result_error_type, (struct duck_result *))                                                              \
	F(int, result_return_type, (struct duck_result))                                                               \
	F(duck_idx, rows_changed, (struct duck_result *))                                                              \
	F(duck_idx, column_count, (struct duck_result *))                                                              \
	F(const char *, column_name, (struct duck_result *, duck_idx))                                                 \
	F(duck_type, column_logical_type, (struct duck_result *, duck_idx))                                            \
	F(int, prepare, (duck_connection, const char *, duck_prepared *))                                              \
	F(const char *, prepare_error, (duck_prepared))                                                                \
	F(void, destroy_prepare, (duck_prepared *))                                                                    \
	F(duck_idx, prepared_statement_column_count, (duck_prepared))                                                  \
	F(const char *, prepared_statement_column_name, (duck_prepared, duck_idx))                                     \
	F(duck_type, prepared_statement_column_logical_type, (duck_prepared, duck_idx))                                \
	F(int, pending_prepared_streaming, (duck_prepared, duck_pending *))                                            \
	F(int, execute_pending, (duck_pending, struct duck_result *))                                                  \
	F(const char *, pending_error, (duck_pending))                                                                 \
	F(void, destroy_pending, (duck_pending *))                                                                     \
	F(duck_chunk, fetch_chunk, (struct duck_result))                                                               \
	F(void, destroy_data_chunk, (duck_chunk *))                                                                    \
	F(duck_idx, data_chunk_get_size, (duck_chunk))                                                                 \
	F(duck_vector, data_chunk_get_vector, (duck_chunk, duck_idx))                                                  \
	F(void *, vector_get_data, (duck_vector))                                                                      \
	F(uint64_t *, vector_get_validity, (duck_vector))                                                              \
	F(duck_vector, list_vector_get_child, (duck_vector))                                                           \
	F(duck_vector, struct_vector_get_child, (duck_vector, duck_idx))                                               \
	F(duck_vector, array_vector_get_child, (duck_vector))                                                          \
	F(int, get_type_id, (duck_type))                                                                               \
	F(char *, logical_type_get_alias, (duck_type))                                                                 \
	F(uint8_t, decimal_width, (duck_type))                                                                         \
	F(uint8_t, decimal_scale, (duck_type))                                                                         \
	F(int, decimal_internal_type, (duck_type))                                                                     \
	F(int, enum_internal_type, (duck_type))                                                                        \
	F(uint32_t, enum_dictionary_size, (duck_type))                                                                 \
	F(char *, enum_dictionary_value, (duck_type, duck_idx))                                                        \
	F(duck_type, list_type_child_type, (duck_type))                                                                \
	F(duck_type, array_type_child_type, (duck_type))                                                               \
	F(duck_idx, array_type_array_size, (duck_type))                                                                \
	F(duck_type, map_type_key_type, (duck_type))                                                                   \
	F(duck_type, map_type_value_type, (duck_type))                                                                 \
	F(duck_idx, struct_type_child_count, (duck_type))                                                              \
	F(char *, struct_type_child_name, (duck_type, duck_idx))                                                       \
	F(duck_type, struct_type_child_type, (duck_type, duck_idx))                                                    \
	F(duck_idx, union_type_member_count, (duck_type))                                                              \
	F(char *, union_type_member_name, (duck_type, duck_idx))                                                       \
	F(duck_type, union_type_member_type, (duck_type, duck_idx))                                                    \
	F(void, destroy_logical_type, (duck_type *))                                                                   \
	F(void, free, (void *))

struct duck_abi {
#define F(ret, name, args) ret(*name) args;
	DUCK_ABI(F)
#undef F
};
extern struct duck_abi duckdb;

must_check int duck_abi_load(struct err *e);
/* The file that would be tried first, without loading it; NULL: the system's own is looked up by name. */
const char *duck_abi_would_load(void);
const char *duck_abi_path(void); /* where it was found; "" before */

#endif
