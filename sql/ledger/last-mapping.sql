-- title: By which mapping an input of a source was read last
select format from meta.loads where source = $source and uri = $uri order by committed_at desc limit 1
