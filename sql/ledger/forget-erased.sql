-- title: Forget those who are about to be remembered anew
delete from meta.erased where contains($hashes, learner_id)
