-- title: How many pseudonyms of erased learners are remembered
select count(distinct learner_id) as learners from meta.erased
