//! Text with holes, filled many times.

/// Literal text with holes between: `literals[0] hole literals[1] hole …`.
#[derive(Clone, Debug)]
pub(crate) struct Stencil {
    literals: Vec<Vec<u8>>,
    /// For each hole, which of the values goes there.
    holes: Vec<usize>,
}

impl Stencil {
    /// Cuts placeholders out of a text; a placeholder may stand several times. None may contain another.
    pub(crate) fn cut(text: &str, placeholders: &[&str]) -> Self {
        let (mut literals, mut holes) = (Vec::new(), Vec::new());
        let mut rest = text;
        loop {
            let found = placeholders.iter().enumerate();
            let first = found.filter_map(|(hole, text)| Some((rest.find(text)?, hole, text.len()))).min();
            let Some((at, hole, length)) = first else { break };
            literals.push(rest.as_bytes()[..at].to_vec());
            holes.push(hole);
            rest = &rest[at + length..];
        }
        literals.push(rest.as_bytes().to_vec());
        Self { literals, holes }
    }

    /// Appends the text with values in its holes, in the order of the placeholders.
    pub(crate) fn fill(&self, values: &[&str], out: &mut Vec<u8>) {
        for (literal, hole) in self.literals.iter().zip(&self.holes) {
            out.extend_from_slice(literal);
            out.extend_from_slice(values[*hole].as_bytes());
        }
        out.extend_from_slice(&self.literals[self.holes.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_where_their_placeholders_were() {
        let stencil = Stencil::cut("<a> to <b>, <a>!", &["<a>", "<b>", "<c>"]);
        let mut out = Vec::new();
        stencil.fill(&["Anna", "Bo", "nobody"], &mut out);
        assert_eq!(out, b"Anna to Bo, Anna!");
        assert_eq!(Stencil::cut("plain", &["<a>"]).holes.len(), 0);
    }
}
