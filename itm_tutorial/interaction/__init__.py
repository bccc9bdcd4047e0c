"""How image codes and caption codes meet: from one dot product to cross-modal attention."""
