-- title: studentInfo.csv: who they are, once for each student
-- entity: learner
-- personal: id_student(learner)
-- export: snapshot
select source_row, id_student as learner_id, region, gender, age_band, highest_education as education_level
from source
qualify row_number() over (partition by id_student order by code_presentation desc, source_row) = 1
