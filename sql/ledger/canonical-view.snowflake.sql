-- title: A view's SELECT as this engine writes it back: as it was written
select $definition as definition
