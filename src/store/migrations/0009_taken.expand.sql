-- Nothing: this number is another change's, and this file goes when that one is merged.
select 1;
