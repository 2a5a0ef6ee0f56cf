-- Separator, header and types of the CSV files are found by leat and remembered (`leat schema`).
-- Choose columns here, and cast what was read as something else: cast(amount as decimal(12, 2)) as amount
select *
from {{ from }}
