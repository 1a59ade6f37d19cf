"""Fine-tuning on the data sets: what ``train/sft.py`` and ``train/merge.py`` run. Needs the ``train`` extra."""
