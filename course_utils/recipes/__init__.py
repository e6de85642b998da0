"""What ``python -m course_utils.train`` can train: one short module a model. Copy one to make your own.

A recipe has

- ``Config``: a ``course_utils.training.config.Config`` with the numbers of its model added;
- ``PRESETS``: name → Config, named after what they reproduce; the first is the default;
- ``model(config)``: the torch module, not yet trained;
- ``data(config, source)``: (training set, test set), each with ``len(…)`` and ``[indices]`` → a batch: a tensor, or a
  ``TensorDataset`` of several; ``source`` is what the command's ``--data`` says, or None;
- ``loss(model, batch, generator)``: the scalar to minimise, the mean over the batch; or that and a dictionary of
  further scalars for the log. All randomness comes from ``generator``. A game of several losses has ``losses``
  instead, a dictionary name → function, each trained once a step in that order by the optimiser of its name;
- ``optimiser(model, config)``: a torch optimiser, or a list of them, or a dictionary by the names of ``losses``;

and, if it likes,

- ``start(model, train_set, config)``: changes the initial weights by what the training set tells;
- ``prepare(model, batch, generator)``: what the losses of a step share, given to each in place of the batch;
- ``schedule(optimiser, config)``: a ``torch.optim.lr_scheduler``, stepped after every update;
- ``evaluate(model, test_set, config)``: name → number, for the log, at every checkpoint;
- ``diagnose(lines, config)``: symptom → sentence, what the lines of the log tell that a falling loss would not. It is
  asked after each line, and the loop warns of each symptom once.
"""
