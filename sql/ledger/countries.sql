-- title: What a report's parameter "country" can name
select distinct country from core.learner where country is not null
