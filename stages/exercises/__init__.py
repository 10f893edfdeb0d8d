"""The evidence for the theory exercises: a module for each exercise, or task, that needs autoencoders of its own.

The pipeline itself answers exercise 2, on pre-training. Each module has two functions:

    jobs(inputs, params) returns what to train: pairs of a job and its settings, by name;
    measure(results, inputs, params) gets the results of all modules' jobs, by name. It returns the facts for
        reports/theory.json and the arrays that the stage theory_figures draws.
"""
