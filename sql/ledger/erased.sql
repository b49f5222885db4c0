-- title: Learners that are remembered as erased
select count(*) as learners from meta.erased
