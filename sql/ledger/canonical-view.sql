-- title: A view's SELECT as this engine writes it back
select json_deserialize_sql(json_serialize_sql(cast($definition as varchar))) as definition
